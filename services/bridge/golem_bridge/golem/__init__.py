"""The only room that talks to yagna: market, activities, network and payments as plain typed calls.

Nothing outside imports yapapi or ya_*; nothing inside knows of clusters, Ray or ssh.
"""
