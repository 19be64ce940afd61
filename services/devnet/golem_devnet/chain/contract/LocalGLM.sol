// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// The GLM of a local, throw-away chain: an ERC-20 with 18 decimals and nothing else that a yagna
/// payment needs, plus `grant`, by which the chain pays a new wallet its start money exactly once.
contract LocalGLM {
    string public constant name = "Local Test GLM";
    string public constant symbol = "tGLM";
    uint8 public constant decimals = 18;

    address public immutable issuer;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    /// Wallets that already had their start money: on the chain itself, so that it can never disagree with it.
    mapping(address => bool) public granted;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        issuer = msg.sender;
    }

    /// Mint `amount` wei of GLM for `to` and pass it the gas token sent along; reverts at the second call for `to`.
    function grant(address payable to, uint256 amount) external payable {
        require(msg.sender == issuer, "only the issuer grants");
        require(!granted[to], "already granted");
        granted[to] = true;
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
        (bool passed, ) = to.call{value: msg.value}("");
        require(passed, "gas token refused");
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        move(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, "insufficient allowance");
        if (allowed != type(uint256).max) {
            allowance[from][msg.sender] = allowed - amount;
        }
        move(from, to, amount);
        return true;
    }

    function move(address from, address to, uint256 amount) private {
        require(balanceOf[from] >= amount, "insufficient balance");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}
